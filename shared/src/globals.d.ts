/** The only globals that shared/ needs and that both Node and browsers have; their type libraries would allow I/O. */
declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}

/** For tests. */
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
