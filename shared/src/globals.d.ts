/** The one global that shared/ needs and that both Node and browsers have; their whole type libraries would allow I/O. */
declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}
