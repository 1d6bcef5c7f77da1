/** What the bare Node proxy prints before its port. */
export const NODE_PROXY_READY = 'proxy on port ';
