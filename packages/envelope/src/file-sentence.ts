/**
 * What a file system refuses, as a sentence; undefined for what is no matter of one.
 *
 * @param code as Node has it: `ENOENT`
 * @param path of what was to be read or written, where it is known
 */
export function fileSentence(code: unknown, path: string | undefined): string | undefined {
  switch (code) {
    case "ENOENT":
      return `There is no file or folder${path === undefined ? "" : ` ${path}`}.`;
    case "EACCES":
    case "EPERM":
      return `No permission for ${path ?? "that file"}.`;
    case "EROFS":
      return `${path ?? "That"} is on a file system that can only be read; name another path.`;
    case "EISDIR":
      return `${path ?? "That"} is a folder; name a file.`;
    case "ENOTDIR":
      return `${path ?? "That"} is below a file, where only a folder can be; name another path.`;
    case "ENAMETOOLONG":
      return `${path ?? "That"} is too long for a path, or a name in it is.`;
    case "ELOOP":
      return `${path ?? "That"} is a link that leads back to itself.`;
    case "ENOSPC":
    case "EDQUOT":
      return `The disk is full.`;
    default:
      return undefined;
  }
}
