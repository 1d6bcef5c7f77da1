/** What the programs of this folder print before the port that they listen on. */
export const PORT_READY = 'listening on ';
