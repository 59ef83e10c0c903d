#!/bin/sh
# demo.sh -- from nothing to a Pareto set: a private daemon with two workers prunes the VGG sample on Fashion-MNIST and trains
# what looks best, one of the smaller networks is exported and evaluated afresh. Everything lives in a temporary folder that
# is removed at the end.
set -eu
cd "$(dirname "$0")/.."
OUT=${OUT:-build/release}
TRIALS=${TRIALS:-36}
data=/usr/share/datasets/fashion-mnist
dir=$(mktemp -d "${TMPDIR:-/tmp}/pared-demo.XXXXXX")
daemon=
clean() {
	[ -n "$daemon" ] && kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null || true
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM

say() { printf '\n== %s\n' "$*"; }
export PARED_URL="unix:$dir/pared.sock"
pare="$OUT/pare"
sql() { sqlite3 -readonly "$dir/state/pared.db" "$1"; }

say "a private daemon with two workers"
cat >"$dir/pared.json" <<END
{"state": "$dir/state", "socket": "$dir/pared.sock", "cache": "$dir/cache", "workers": 2, "log_level": "warning"}
END
"$OUT/pared" -c "$dir/pared.json" &
daemon=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ -S "$dir/pared.sock" ] && break
	sleep 0.25
done

say "pare submit configs/fashion-vgg.json --budget $TRIALS --watch"
"$pare" submit configs/fashion-vgg.json --budget "$TRIALS" --watch

members=$(sql 'select count(*) from pareto where job = 1')
chosen=$(sql 'select trial from pareto where job = 1 and params_ratio > 0.5
	and test_accuracy >= (select test_accuracy from trial_summary where job = 1 and trial = 0) - 0.01
	order by accuracy desc limit 1')
if [ "$members" -lt 3 ] || [ -z "$chosen" ]; then
	echo "demo: $members members of the Pareto set, expected at least 3, one of them with under half the params and at most" \
		"a point less accuracy on the test set" >&2
	exit 1
fi

say "pare export 1 --trial $chosen -o small.onnx      (the most accurate with under half the params)"
"$pare" export 1 --trial "$chosen" -o "$dir/small.onnx"
"$pare" pareto 1 --svg "$OUT/front.svg" >/dev/null
echo "the picture of this front is $OUT/front.svg"

say "pare-worker eval small.onnx      (a fresh process, the test set)"
"$OUT/pare-worker" eval "$dir/small.onnx" --data "$data" --mean 0.2860 --std 0.3530 --json >"$dir/again.json"
recorded=$(sql "select test_accuracy from pareto where job = 1 and trial = $chosen")
again=$(sqlite3 :memory: "select json_extract(readfile('$dir/again.json'), '\$.accuracy')")
echo "recorded by the service $recorded, evaluated again $again"
if [ "$(sqlite3 :memory: "select $recorded = $again")" != 1 ]; then
	echo "demo: the exported file does not have the accuracy that was recorded" >&2
	exit 1
fi
say "done"
