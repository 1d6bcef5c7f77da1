/** An enrollment token as a file holds it: perhaps a line that says whose it is, then the token. */
export interface EnrollmentTokenFile {
  /** Empty when the file has none. */
  readonly token: string;
  /** The agent that it enrolls; undefined where the file does not say. */
  readonly agent: string | undefined;
}

const AGENT_LINE = /^# agent: ([a-z0-9-]{1,63})$/m;

export function parseEnrollmentTokenFile(text: string): EnrollmentTokenFile {
  return { token: text.replace(/^#.*$/gm, '').trim(), agent: AGENT_LINE.exec(text)?.[1] };
}

/** So that an agent needs no other word about its name. */
export function enrollmentTokenFileText(token: string, agent: string): string {
  return `# agent: ${agent}\n${token}\n`;
}
