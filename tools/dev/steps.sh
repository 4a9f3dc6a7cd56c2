# Numbered steps with times. A step's output goes to build/log/<n>.log; when it fails, the end of that log and
# what to do about it are shown, and ./dev ends.

STEP=0
STEPS=0
STARTED=$SECONDS

plan() { STEPS=$1; }

say() { printf '%s\n' "$*"; }

die() {
  printf '\n%s\n' "dev: $*" >&2
  exit 1
}

show_failure() {  # log hint
  printf 'FAILED\n\n--- the end of %s\n' "$1"
  tail -n 25 "$1"
  printf -- '---\n'
  die "step $STEP failed; its whole log: $1${2:+ ($2)}"
}

# step "what it does" command…: quiet, its output in a log.
step() {
  local what=$1 from=$SECONDS
  shift
  STEP=$((STEP + 1))
  mkdir -p build/log
  local log=build/log/$STEP.log
  printf '[%d/%d] %s … ' "$STEP" "$STEPS" "$what"
  "$@" >"$log" 2>&1 || show_failure "$log" "${HINT:-}"
  printf '%d s\n' $((SECONDS - from))
}

# The same, but its output is what one wants to see.
open_step() {
  local what=$1 from=$SECONDS
  shift
  STEP=$((STEP + 1))
  printf '[%d/%d] %s …\n' "$STEP" "$STEPS" "$what"
  "$@" || die "step $STEP ($what) failed"
  printf '[%d/%d] done in %d s\n' "$STEP" "$STEPS" $((SECONDS - from))
}

total_time() { printf 'in all %d min %d s\n' $(((SECONDS - STARTED) / 60)) $(((SECONDS - STARTED) % 60)); }
