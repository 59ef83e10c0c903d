#!/bin/bash
# e2e.sh -- the real programs together, as people use them: daemon, workers, client, curl, sqlite3, kill. Loopback and Unix sockets
# only, every wait is bounded. Ends with a line "N passed, M failed".
set -u
cd "$(dirname "$0")/.." || exit 2
OUT=${OUT:-build/release}
data=/usr/share/datasets/fashion-mnist
top=$(mktemp -d "${TMPDIR:-/tmp}/pared-e2e.XXXXXX")
passed=0 failed=0 daemon=
patience=${PATIENCE:-240} # seconds for a job; more under sanitizers

finish() {
	[ -n "$daemon" ] && kill -9 "$daemon" 2>/dev/null
	rm -rf "$top"
}
trap finish EXIT

ok() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$top/out" 2>&1; then
		passed=$((passed + 1))
		echo "ok   $name"
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		sed 's/^/     /' "$top/out" | head -20
	fi
}

# A daemon of its own in $top/NAME with N workers.
start() { # NAME WORKERS
	dir=$top/$1
	mkdir -p "$dir"
	printf '{"state": "%s/state", "socket": "%s/sock", "cache": "%s/cache", "workers": %d, "log_level": "info"}\n' \
		"$dir" "$dir" "$top" "$2" >"$dir/pared.json"
	"$OUT/pared" -c "$dir/pared.json" 2>>"$dir/log" &
	daemon=$!
	export PARED_URL="unix:$dir/sock"
	for _ in $(seq 100); do
		curl -sf --unix-socket "$dir/sock" http://pared/healthz >/dev/null && return
		sleep 0.1
	done
	echo "the daemon does not answer" >&2
}
stop() {
	kill "$daemon"
	wait "$daemon"
	local status=$?
	daemon=
	return $status
}
sql() { sqlite3 -readonly "$dir/state/pared.db" "$1"; }
complete() { sql "select count(*) from trial where job = ${1:-1} and number > 0 and state = 'complete'"; }
wait_for() { # SECONDS COMMAND...: until it succeeds
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.2
	done
}
at_least() { [ "$(complete 1)" -ge "$1" ]; }
ended() { [ "$(sql "select state in ('done', 'failed', 'cancelled') from job where id = $1")" = 1 ]; }
candidates() { sql 'select number, candidate from trial where job = 1 order by number'; }
front() { sql 'select accuracy, params from pareto where job = 1'; }
same() { [ -n "$(cat "$1")" ] && cmp "$1" "$2"; }
climbs() { sql 'select number, rung, parent, candidate, accuracy, params from trial where job = 1 order by number'; }
job() { # BUDGET STRATEGY: LeNet, quickly
	sed -e "s|\"\.\./models|\"$PWD/models|" -e "s|\"images\": 5000|\"images\": 1000|" \
		-e "s|\"strategy\": .*|\"strategy\": $2, \"window\": 3,|" -e "s|\"trials\": [0-9]*|\"trials\": $1|" configs/fashion-lenet5.json
}

# ---- the same job with one worker, with two, and across kill -9: the same candidates, the same front ----
for strategy in '{"name": "guided"}' '{"name": "nsga2", "population": 8}' '{"name": "anneal", "target": 0.7, "rounds": 2}' '{"name": "random"}'; do
	name=$(echo "$strategy" | sed 's/.*"name": "\([a-z0-9]*\)".*/\1/')
	job 24 "$strategy" >"$top/$name.json"
	start "$name-one" 1
	ok "$name: a job runs to its end with one worker" timeout "$patience" "$OUT/pare" submit "$top/$name.json" --watch
	candidates >"$top/c1"
	front >"$top/f1"
	ok "$name: SIGTERM stops the daemon cleanly" stop
	start "$name-two" 2
	ok "$name: and with two" timeout "$patience" "$OUT/pare" submit "$top/$name.json" --watch
	candidates >"$top/c2"
	front >"$top/f2"
	stop
	ok "$name: one worker and two propose the same candidates" same "$top/c1" "$top/c2"
	ok "$name: and end in the same Pareto set" same "$top/f1" "$top/f2"
	start "$name-killed" 2
	"$OUT/pare" submit "$top/$name.json" >/dev/null
	ok "$name: half way" wait_for "$patience" at_least 9
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	sleep 0.5
	ok "$name: no worker outlives a killed daemon" test -z "$(pgrep -f "unix:$dir/sock")"
	start "$name-killed" 2
	ok "$name: after kill -9 the job goes on to its end" wait_for "$patience" ended 1
	candidates >"$top/c3"
	front >"$top/f3"
	stop
	ok "$name: kill -9 changes no candidate" same "$top/c1" "$top/c3"
	ok "$name: nor the Pareto set" same "$top/f1" "$top/f3"
done

# ---- trained first, then three rungs with training: the same bits with one worker, with two, and across kill -9 ----
job 12 '{"name": "random"}' | sed -e 's|"rungs": .*|"pretrain": {"steps": 60}, "rungs": [{"images": 1000}, {"images": 1000, "train": {"steps": 20}},\
	{"images": 2000, "train": {"steps": 40, "distil": null}, "latency": {}}],|' >"$top/rungs.json"
start rungs-one 1
ok "rungs: a job runs to its end with one worker" timeout "$patience" "$OUT/pare" submit "$top/rungs.json" --watch
climbs >"$top/c1"
ok "rungs: 12 candidates, 4 of them go up, and one of those" test "$(sql 'select group_concat(n) from
	(select count(*) as n from trial where number > 0 group by rung order by rung)')" = 12,4,1
ok "rungs: only the last one and the baseline are in the Pareto set" test "$(sql 'select count(*) from trial
	where pareto = 1 and rung < 2')" = 0
ok "rungs: the baseline is the network that was trained first" test "$(sql 'select model from trial where number = 0')" != \
	"$(sha256sum models/fashion-lenet5.onnx | cut -d' ' -f1)"
stop
start rungs-killed 2
"$OUT/pare" submit "$top/rungs.json" >/dev/null 2>&1
promoted() { [ "$(sql 'select count(*) from trial where rung = 1 and parent is not null')" -ge 1 ]; }
ok "rungs: a candidate is promoted" wait_for "$patience" promoted
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
start rungs-killed 2
ok "rungs: after kill -9 the job goes on to its end" wait_for "$patience" ended 1
climbs >"$top/c2"
ok "rungs: two workers and kill -9 change nobody's way up, nor its result" same "$top/c1" "$top/c2"
stop

# ---- a job under way, seen by sqlite3 and curl; workers die; a second job is answered from the store ----
start use 2
api() { curl -sS --unix-socket "$dir/sock" "$@"; }
digest() { sha256sum "$1" | cut -d' ' -f1; }
upload() { api -f -T "$1" "http://pared/v1/blobs/$(digest "$1")"; }
job 40 '{"name": "nsga2", "population": 8}' >"$top/plain.json"
files="$PWD/models/fashion-lenet5.onnx $data/train-images-idx3-ubyte.gz $data/train-labels-idx1-ubyte.gz
	$data/t10k-images-idx3-ubyte.gz $data/t10k-labels-idx1-ubyte.gz"
for f in $files; do
	ok "curl uploads $(basename "$f")" upload "$f"
	sed -i "s|\"$f\"|\"sha256:$(digest "$f")\"|" "$top/plain.json"
done
ok "curl submits a job" api -f --data-binary "@$top/plain.json" http://pared/v1/jobs
api -N --max-time "$patience" http://pared/v1/jobs/1/events >"$top/events" &
events=$!
ok "trials complete" wait_for "$patience" at_least 3
ok "sqlite3 reads the view pareto while the job runs" test -n "$(sql 'select * from pareto')"
ok "sqlite3 reads the view trial_summary" test -n "$(sql 'select * from trial_summary')"
worker=$(api http://pared/v1/workers | sed 's/.*"pid": *\([0-9]*\).*/\1/')
ok "a worker is killed" kill -9 "$worker"
ok "the job goes on to its end" wait_for "$patience" ended 1
ok "as done" test "$(sql 'select state from job where id = 1')" = done
ok "no trial was lost" test "$(complete 1)" = 40
wait "$events"
ok "curl saw every trial and the end of the job" test "$(grep -c '^event: trial' "$top/events")" -ge 40
ok "members of the Pareto set have a test accuracy" test "$(sql 'select count(*) from pareto where test_accuracy is null')" = 0
ok "the baseline too, to compare them with" test -n "$(sql 'select test_accuracy from trial where job = 1 and number = 0')"
ok "nobody else has" test "$(sql 'select count(*) from trial where pareto = 0 and number > 0 and test_accuracy is not null')" = 0
before=$(sql 'select count(*) from trial where source is null')
ok "the same job again" timeout "$patience" "$OUT/pare" submit "$top/plain.json" --watch
ok "is answered from the store" test "$(sql 'select count(*) from trial where source is null')" = "$before"

# ---- limits by group ----
job 12 '{"name": "random"}' | sed 's|"strategy"|"prune": {"exclude": ["features.0"],\
	"groups": [{"match": "classifier.*", "min_ratio": 0.5}]}, "strategy"|' >"$top/limits.json"
ok "limits: a job with some runs to its end" timeout "$patience" "$OUT/pare" submit "$top/limits.json" --watch
limited=$(sql 'select max(id) from job')
ok "limits: an excluded group stays whole, others lose at least what they must" test "$(sql "select count(*) from trial where job = $limited
	and json_extract(candidate, '\$[0]') = 6 and json_extract(candidate, '\$[2]') <= 60 and json_extract(candidate, '\$[3]') <= 42")" = 12
sed 's|"features.0"|"fc*"|' "$top/limits.json" >"$top/nowhere.json"
"$OUT/pare" submit "$top/nowhere.json" --watch >"$top/nowhere.out" 2>&1
ok "limits: a pattern that matches nothing fails its job, exit 1" test $? = 1
ok "limits: and names the groups there are" grep -q '"fc\*" matches none.*features.0, features.3, classifier.1' "$top/nowhere.out"

# ---- candidates from outside, by curl; a search that is finished by hand, across kill -9; the best under a bound ----
job 100 '{"name": "manual"}' >"$top/manual.json"
manual=$("$OUT/pare" submit "$top/manual.json")
state_is() { [ "$(sql "select state from job where id = $1")" = "$2" ]; }
ok "manual: the job waits for candidates" wait_for "$patience" state_is "$manual" searching
ok "manual: curl posts two" api -f -d '{"candidates": [[3, 8, 60, 42], [2, 4, 30, 20]]}' "http://pared/v1/jobs/$manual/trials"
complete_now() { api -f "http://pared/v1/trials/$1?wait=60" | grep '"state":"complete"'; }
ok "manual: and waits for the result of one" complete_now "$manual.1"
ok "manual: pare finish" "$OUT/pare" finish "$manual"
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
start use 2
ok "manual: after kill -9 the job comes to its end" wait_for "$patience" state_is "$manual" done
ok "manual: which is said to be by word" test "$(sql "select ended from job where id = $manual")" = finish
ok "manual: with both results" test "$(complete "$manual")" = 2
"$OUT/pare" best "$manual" --where 'macs<=25%' >"$top/best.out"
ok "manual: pare best gives the smaller one" grep -q "^trial  *$manual\.2\$" "$top/best.out"
ok "manual: with the command that exports it" sh -c "cd '$top' && PATH='$PWD/$OUT:$PATH' && eval \"\$(grep '^pare export' best.out)\" && test -s 'job$manual-2.onnx'"
"$OUT/pare" best "$manual" --where 'macs<=1%' >"$top/best.out" 2>&1
ok "manual: a bound that nothing meets is exit 3" test $? = 3
ok "manual: and the nearest is named" grep -q "the nearest is $manual\.2 with macs" "$top/best.out"
"$OUT/pare" explain 1 >"$top/explain.out"
ok "pare explain has a line for each group, and one for each of the chosen candidate's" test "$(grep -cE '^(features.0|features.3|classifier.1|classifier.3) ' "$top/explain.out")" = 8

# ---- export ----
trial=$(sql 'select trial from pareto where job = 1 and trial > 0 limit 1')
ok "pare export" "$OUT/pare" export 1 --trial "$trial" -o "$top/small.onnx"
"$OUT/pare-worker" eval "$top/small.onnx" --data "$data" --mean 0.2860 --std 0.3530 --json >"$top/again.json"
ok "the exported file has the recorded test accuracy in a fresh process" test "$(sqlite3 :memory: "attach '$dir/state/pared.db' as p;
	select test_accuracy = json_extract(readfile('$top/again.json'), '\$.accuracy') from p.pareto where job = 1 and trial = $trial")" = 1

# ---- bad input ----
refused() { # STATUS TEXT CURL-ARGUMENTS...
	local status=$1 text=$2
	shift 2
	api -w '\n%{http_code}\n' "$@" >"$top/answer"
	cat "$top/answer"
	[ "$(tail -n 1 "$top/answer")" = "$status" ] && grep -q "$text" "$top/answer"
}
sed 's/"window": 3/"windou": 3/' "$top/plain.json" >"$top/bad.json"
ok "an unknown key is refused by name" refused 400 windou --data-binary "@$top/bad.json" http://pared/v1/jobs
ok "a path in a posted job is refused" refused 400 'pare submit' --data-binary "@$top/nsga2.json" http://pared/v1/jobs
head -c 5000 models/fashion-lenet5.onnx >"$top/cut.onnx"
sed "s|\"model\": .*|\"model\": \"$top/cut.onnx\",|" "$top/nsga2.json" >"$top/cut.json"
"$OUT/pare" submit "$top/cut.json" --watch >"$top/cut.out" 2>&1
ok "a truncated model fails its job, exit 1" test $? = 1
ok "with a clear reason" grep -q 'not a sound ONNX file' "$top/cut.out"
ok "and the daemon lives" api -f http://pared/healthz

# ---- files that lie: models cut short and with bits flipped, labels likewise, each a job of its own ----
RANDOM=7
lie() { # FILE WHERE NUMBER: a copy of FILE, cut short (even) or with eight bytes overwritten (odd)
	local size at
	size=$(stat -c %s "$1")
	at=$(((RANDOM * 32768 + RANDOM) % size))
	if [ $(($3 % 2)) = 0 ]; then
		head -c "$at" "$1" >"$2"
	else
		cp "$1" "$2"
		for _ in 1 2 3 4 5 6 7 8; do
			printf '%b' "\\x$(printf %x $((RANDOM % 256)))" | dd of="$2" bs=1 seek=$(((RANDOM * 32768 + RANDOM) % size)) conv=notrunc status=none
		done
	fi
}
job 1 '{"name": "random"}' >"$top/honest.json"
before=$(sql 'select max(id) from job')
lies=0
for i in $(seq 0 39); do
	lie models/fashion-lenet5.onnx "$top/lie.onnx" "$i"
	sed "s|\"model\": .*|\"model\": \"$top/lie.onnx\",|" "$top/honest.json" >"$top/lie.json"
	"$OUT/pare" submit "$top/lie.json" >/dev/null && lies=$((lies + 1))
done
for i in $(seq 0 11); do
	lie "$data/train-labels-idx1-ubyte.gz" "$top/lie.gz" "$i"
	sed "s|$data/train-labels-idx1-ubyte.gz|$top/lie.gz|" "$top/honest.json" >"$top/lie.json"
	"$OUT/pare" submit "$top/lie.json" >/dev/null && lies=$((lies + 1))
done
all_ended() { [ "$(sql "select count(*) from job where id > $before and state in ('done', 'failed')")" = "$lies" ]; }
ok "52 jobs with files that lie are taken" test "$lies" = 52
ok "each comes to an end" wait_for "$patience" all_ended
ok "none without a reason" test "$(sql "select count(*) from job where id > $before and state = 'failed' and coalesce(reason, '') = ''")" = 0
ok "all that were cut short have failed" test "$(sql "select count(*) from job where id > $before and (id - $before) % 2 = 1 and state = 'done'")" = 0
ok "no worker died of them" test -z "$(sql "select reason from job where id > $before and reason like '%died%'")"
ok "and the daemon lives" api -f http://pared/healthz
ok "SIGTERM stops the daemon cleanly" stop
ok "pared -n accepts the configuration" "$OUT/pared" -n -c "$dir/pared.json"
printf '{"sockte": "x"}' >"$top/bad.json"
ok "pared -n names an unknown key" sh -c "! '$OUT/pared' -n -c '$top/bad.json' 2>'$top/err' && grep -q sockte '$top/err'"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
