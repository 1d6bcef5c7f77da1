/** What a credential is good for, as it is stored: one host, one origin, or wherever the scope of its session reaches. */
export const cookieAudience = (host: string): string => `cookie:${host}`;
export const tokenAudience = (origin: string): string => `token:${origin}`;
export const SERVICE_AUDIENCE = 'service';

/** As people say it: without which kind of credential it is for. */
export const plainAudience = (audience: string): string => audience.replace(/^(token|cookie):/, '');
