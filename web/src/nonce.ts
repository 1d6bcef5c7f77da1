declare global {
  /** Read by the scroll lock of Mantine's overlays for its own style element. */
  var __webpack_nonce__: string | undefined;
}

/** The nonce of this document's style elements, as the relay put it into the page. */
export function styleNonce(): string {
  return nonce;
}

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
globalThis.__webpack_nonce__ = nonce;
