# ./dev demo: everything up to the binary is done here; the journey of the image is demo/demo.py.

DEMO=${WHARFAGE_DEMO:-.demo}

demo_program() { as_root env PYTHONDONTWRITEBYTECODE=1 "${DEMO_SETTINGS[@]}" python3 demo/demo.py --folder "$DEMO" "$@"; }

# sudo drops the environment; these are what the demo listens to.
demo_settings() {
  DEMO_SETTINGS=()
  local name
  for name in WHARFAGE_DEMO_VULNDB WHARFAGE_CACHE XDG_CACHE_HOME http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || DEMO_SETTINGS+=("$name=${!name}")
  done
}

demo() {
  demo_settings
  if [ "${1:-}" = --stop ]; then
    demo_program --stop
    return
  fi
  can_be_root || die "image builds need namespaces: run this as root, or install sudo"
  plan 14
  step "installing packages" install_packages build run demo
  step "configuring" configure release
  HINT="is there memory for $JOBS compilers? JOBS=1 ./dev demo" step "building Wharfage" compile release
  demo_program --binary "$PWD/build/release/src/wharfage" --done "$STEP" --of "$STEPS" "$@" || exit 1
  total_time
}
