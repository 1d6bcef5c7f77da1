export interface UnitOptions {
  readonly what: 'agent' | 'relay';
  /** Absolute paths of the interpreter and of main; without main the program is one file. */
  readonly program: readonly string[];
  /** Absolute path of agent.yaml or postern.yaml. */
  readonly config: string;
  /** Files with secrets, by the name under which the configuration asks for them: `credential:NAME`. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Ports below 1024 are listened on. */
  readonly lowPort: boolean;
  /** Groups whose sockets it must reach, such as docker. */
  readonly groups: readonly string[];
  readonly nodeExtraCaCerts: string | undefined;
}

/**
 * mallopt(3): freed memory beyond 1 MiB goes back to the system. Otherwise glibc keeps, for each thread, up to twice the
 * largest block that was ever freed, and the embedded database frees one of 11 MB when it has started.
 */
export const GIVE_MEMORY_BACK = 'MALLOC_TRIM_THRESHOLD_=1048576';

/** A systemd unit (systemd.exec(5)) for a service of its own user that can write its state directory and nothing else. */
export function systemdUnit(options: UnitOptions): string {
  const { what, program, config, credentials, groups, lowPort, nodeExtraCaCerts } = options;
  const name = `postern-${what}`;
  const inHome = [...program, config].some((path) => /^\/(home|root|run\/user)\//.test(path));
  const lines = [
    '[Unit]',
    `Description=Postern ${what}`,
    'Documentation=man:systemd.exec(5)',
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    `ExecStart=${[...program, what, '--config', config].map(quoted).join(' ')}`,
    // Of its own, made by systemd, gone when it stops; the state directory stays.
    'DynamicUser=yes',
    `StateDirectory=${name}`,
    'StateDirectoryMode=0700',
    `WorkingDirectory=/var/lib/${name}`,
    ...Object.entries(credentials).map(([credential, file]) => `LoadCredential=${credential}:${file}`),
    'Restart=always',
    'RestartSec=2',
    'TimeoutStopSec=30',
    `Environment=${GIVE_MEMORY_BACK}`,
    ...(groups.length > 0 ? [`SupplementaryGroups=${groups.join(' ')}`] : []),
    ...(nodeExtraCaCerts ? [`Environment=${quoted(`NODE_EXTRA_CA_CERTS=${nodeExtraCaCerts}`)}`] : []),
    '',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    `ProtectHome=${inHome ? 'read-only' : 'yes'}`,
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectProc=invisible',
    'ProcSubset=pid',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    'UMask=0077',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged',
    'SystemCallErrorNumber=EPERM',
    'LimitNOFILE=65536',
    lowPort ? 'AmbientCapabilities=CAP_NET_BIND_SERVICE' : 'CapabilityBoundingSet=',
    ...(lowPort ? ['CapabilityBoundingSet=CAP_NET_BIND_SERVICE'] : []),
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  return `${lines.join('\n')}\n`;
}

/** systemd.service(5), "Command lines": `%` and `$` are not ours, blanks want quotes. */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}
