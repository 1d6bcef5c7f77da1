/**
 * Answers that are whole, and leave together when all that had come in this turn of the event loop is done: what has to
 * be woken for each of them, here or at the other end, is woken once.
 */
let waiting: (() => void)[] = [];

/** `leave` must not throw. It runs in the check phase, right behind the reads of this turn. */
export function leaveWithOthers(leave: () => void): void {
  if (waiting.length === 0) setImmediate(leaveAll);
  waiting.push(leave);
}

function leaveAll(): void {
  const all = waiting;
  waiting = [];
  for (const leave of all) leave();
}
