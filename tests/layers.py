#!/usr/bin/env python3
"""Holds every #include "room/…" against the rooms that src/CMakeLists.txt lets that room include."""
import pathlib, re, sys

source = pathlib.Path(__file__).resolve().parent.parent / "src"
text = re.sub(r"#.*", "", (source / "CMakeLists.txt").read_text())
allowed = {}
for call in re.findall(r"wharfage_room\(([^)]*)\)", text):
    words = call.split()
    depends = words[words.index("DEPENDS") + 1:] if "DEPENDS" in words else []
    if "LIBRARIES" in depends:
        depends = depends[:depends.index("LIBRARIES")]
    allowed[words[0]] = set(depends)

# Only these rooms may know these libraries.
private = [
    (re.compile(r'<sqlite3\.h>|<libpq-fe\.h>'), {"meta"}),
    (re.compile(r'<openssl/'), {"crypto", "http"}),
    (re.compile(r'<curl/'), {"http"}),
    (re.compile(r'<nghttp2/'), {"http"}),
    (re.compile(r'<yaml-cpp/'), {"node"}),
    (re.compile(r'<boost/(asio|beast)'), {"http"}),
]

def room_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "facade" else parts[0]

faults = []
for file in sorted(source.rglob("*.[ch]*")):
    if file.suffix not in (".h", ".cc"):
        continue
    name = str(file.relative_to(source))
    room = room_of(name)
    if room not in allowed:
        faults.append(f"{name}: room {room} is not declared in src/CMakeLists.txt")
        continue
    for line in file.read_text().splitlines():
        include = re.match(r'\s*#include\s+"([^"]+)"', line)
        if include and "/" in include[1]:
            other = room_of(include[1])
            if other != room and other not in allowed[room]:
                faults.append(f"{name}: {room} may not include {include[1]}")
        for pattern, rooms in private:
            if line.lstrip().startswith("#include") and pattern.search(line) and room not in rooms:
                faults.append(f"{name}: only {', '.join(sorted(rooms))} may say {line.strip()}")

declared = list(allowed)
for room, depends in allowed.items():
    for other in depends:
        if other not in allowed:
            faults.append(f"src/CMakeLists.txt: {room} depends on unknown room {other}")
        elif declared.index(other) > declared.index(room):
            faults.append(f"src/CMakeLists.txt: {room} depends upward on {other}")

print("\n".join(faults) or f"{len(allowed)} rooms, no include points upward or sideways")
sys.exit(1 if faults else 0)
