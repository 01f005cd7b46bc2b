/** Foreign text that is shown on a terminal. Pure. */

/** Control and format characters could move the cursor, or turn the text around. */
export const withoutControlCharacters = (text: string): string =>
  text.replace(/\p{C}+/gu, ' ').replace(/ +/g, ' ');
