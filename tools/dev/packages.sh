# Installs the Debian packages of tools/dev/packages.txt that are missing; asks apt nothing when none is.

packages_of() {  # group…
  local group name words
  for group in "$@"; do
    while read -r words; do
      case $words in
        '' | '#'*) ;;
        '['*) name=$words ;;
        *) [ "$name" != "[$group]" ] || printf '%s\n' $words ;;
      esac
    done <tools/dev/packages.txt
  done | sort -u
}

missing_packages() {  # group…
  packages_of "$@" | while read -r package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || printf '%s ' "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi
}

can_be_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }

install_packages() {  # group…
  command -v dpkg-query >/dev/null || { say "this is no Debian: see tools/dev/packages.txt for what is needed"; return 1; }
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || { say "nothing is missing"; return 0; }
  can_be_root || { say "these packages are missing, and you are neither root nor have sudo: $missing"; return 1; }
  say "installing $missing"
  as_root apt-get update
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}
