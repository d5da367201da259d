const BLOCK = 512;

/**
 * Packs files into a POSIX ustar archive: owner root, mode 0644, time zero, so that equal files give equal bytes.
 * Paths are relative and at most 100 bytes long.
 */
export function tarArchive(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const entries = Object.entries(files).flatMap(([path, content]) => {
    const bytes = Buffer.from(content);
    return [entryHeader(path, bytes.length), bytes, Buffer.alloc(padding(bytes.length))];
  });
  const endOfArchive = Buffer.alloc(2 * BLOCK);
  return Buffer.concat([...entries, endOfArchive]);
}

function entryHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0, 100);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)}\0 `, 148);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
