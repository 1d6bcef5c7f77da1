/** What a Host field may say: a registered name or IPv4 address with optional port, or a bracketed IPv6 address; no userinfo, not empty (RFC 9110 §4.2.4, §7.2). */
export const HOST_FIELD = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;
