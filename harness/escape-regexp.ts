/** A text as a regular expression that matches only it. Node 22 has no RegExp.escape. */
export const escapeRegExp = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
