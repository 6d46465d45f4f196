import { inUtf8Order } from "./utf8-order.js";

/** What is called the same on two sides. */
export interface Pair<Left, Right> {
  readonly left?: Left;
  readonly right?: Right;
}

/** Two lists, each in S3's order, next to each other; one entry of each is held at a time. */
export async function* sideBySide<Left extends { readonly name: string }, Right extends { readonly name: string }>(
  left: AsyncIterable<Left>,
  right: AsyncIterable<Right>,
): AsyncGenerator<Pair<Left, Right>> {
  const [lefts, rights] = [left[Symbol.asyncIterator](), right[Symbol.asyncIterator]()];
  try {
    let [ofLeft, ofRight] = await Promise.all([lefts.next(), rights.next()]);
    while (ofLeft.done !== true || ofRight.done !== true) {
      const order =
        ofLeft.done === true ? 1 : ofRight.done === true ? -1 : inUtf8Order(ofLeft.value.name, ofRight.value.name);
      yield {
        ...(order <= 0 && ofLeft.done !== true ? { left: ofLeft.value } : {}),
        ...(order >= 0 && ofRight.done !== true ? { right: ofRight.value } : {}),
      };
      if (order <= 0) ofLeft = await lefts.next();
      if (order >= 0) ofRight = await rights.next();
    }
  } finally {
    await Promise.all([lefts.return?.(), rights.return?.()]);
  }
}
