"""The bundle: a zip of stored files in which no byte outside the files is free."""

import struct
import zlib

from primitives import Wrong, need

LOCAL, CENTRAL, END = struct.Struct("<IHHHHHIIIHH"), struct.Struct("<IHHHHHHIIIHHHHHII"), struct.Struct("<IHHHHIIH")
DATE = 0x21  # 1980-01-01
MAX_FILES = 60_000


def read(data):
    """(files by name, names whose checksum is wrong). Raises `Wrong` when the archive cannot be used."""
    try:
        return read_members(data)
    except (struct.error, UnicodeDecodeError) as error:
        raise Wrong(f"not an archive: {error}") from error


def read_members(data):
    need(len(data) >= END.size, "not an archive")
    end = END.unpack(data[-END.size :])
    count, size, start = end[3], end[5], end[6]
    need(count <= MAX_FILES, "too many files")
    need(end == (0x06054B50, 0, 0, count, count, size, start, 0), "the end of the archive")
    need(start + size + END.size == len(data), "bytes outside the files")
    files, changed, local_at, at = {}, [], 0, start
    previous = None
    for _ in range(count):
        fixed = CENTRAL.unpack(data[at : at + CENTRAL.size])
        crc, stored, name_size = fixed[7], fixed[8], fixed[10]
        raw = data[at + CENTRAL.size : at + CENTRAL.size + name_size]
        need(
            fixed == (0x02014B50, 20, 20, 0, 0, 0, DATE, crc, stored, stored, name_size, 0, 0, 0, 0, 0, local_at),
            "a record of the directory",
        )
        local = LOCAL.unpack(data[local_at : local_at + LOCAL.size])
        need(local == (0x04034B50, 20, 0, 0, 0, DATE, crc, stored, stored, name_size, 0), "a header of a file")
        body = local_at + LOCAL.size + name_size
        need(data[local_at + LOCAL.size : body] == raw and body + stored <= start, "a header of a file")
        need(previous is None or previous < raw, "names are not ascending")
        name, content = raw.decode("ascii"), data[body : body + stored]
        files[name] = content
        if zlib.crc32(content) != crc:
            changed.append(name)
        previous, local_at, at = raw, body + stored, at + CENTRAL.size + name_size
    need(local_at == start and at == start + size, "bytes outside the files")
    return files, changed
