/**
 * A block times x⁶⁴ in the field of GHASH (SP 800-38D 6.3), the one step of field arithmetic that no hash does: what
 * turns the product of a length of additional data into that of a length of text. The shift is fixed, and every block
 * takes the same steps.
 */
export function timesX64(block: Uint8Array): Buffer {
  const view = Buffer.from(block);
  let [a, b, c, d] = [view.readUInt32BE(0), view.readUInt32BE(4), view.readUInt32BE(8), view.readUInt32BE(12)];
  for (let step = 0; step < 64; step++) {
    const reduction = 0xe1000000 & -(d & 1);
    d = (d >>> 1) | (c << 31);
    c = (c >>> 1) | (b << 31);
    b = (b >>> 1) | (a << 31);
    a = (a >>> 1) ^ reduction;
  }
  const product = Buffer.alloc(16);
  [a, b, c, d].forEach((word, index) => {
    product.writeInt32BE(word | 0, index * 4);
  });
  return product;
}
