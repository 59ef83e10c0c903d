#!/bin/sh
# layers.sh -- who may include whom (docs/design.md), how large a file may be and how wide. Prints each offence.
# Within the evaluator: model and data know base only; kernels and prune the model; measure the first three; train
# measure too.
cd "$(dirname "$0")/.." || exit 2

allowed() {
	case $1 in
	base) echo base ;;
	store | search | client) echo "$1 base" ;;
	daemon) echo daemon store search base ;;
	evaluator/model) echo base evaluator/model ;;
	evaluator/data) echo base evaluator/data ;;
	evaluator/kernels) echo base evaluator/model evaluator/kernels ;;
	evaluator/measure) echo base evaluator/model evaluator/data evaluator/kernels evaluator/measure ;;
	evaluator/prune) echo base evaluator/model evaluator/prune ;;
	evaluator/train)
		echo base evaluator/model evaluator/data evaluator/kernels evaluator/measure evaluator/train
		;;
	evaluator)
		echo base evaluator evaluator/model evaluator/data evaluator/kernels evaluator/measure evaluator/prune \
			evaluator/train
		;;
	*) echo "" ;;
	esac
}

bad=0
for file in $(find base store search evaluator daemon client -name '*.[ch]' | sort); do
	own=$(dirname "$file")
	for included in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file"); do
		[ "$included" = onnx.pb-c.h ] && continue # generated
		case " $(allowed "$own") " in
		*" $(dirname "$included") "*) ;;
		*)
			echo "$file: must not include $included"
			bad=$((bad + 1))
			;;
		esac
	done
	lines=$(wc -l <"$file")
	if [ "$lines" -gt 800 ]; then
		echo "$file: $lines lines, at most 800"
		bad=$((bad + 1))
	fi
done
long=$(for file in $(find base store search evaluator daemon client tests -name '*.[ch]'); do
	expand "$file" | awk -v file="$file" 'length > 120 { print file ":" NR ": over 120 columns" }'
done)
if [ -n "$long" ]; then
	echo "$long"
	bad=$((bad + 1))
fi
if grep -lE '#include <(time|sys/socket|uv|sqlite3|curl)' search/*.[ch]; then
	echo "search/ is pure: no clock, no socket, no database"
	bad=$((bad + 1))
fi
[ "$bad" -eq 0 ] && echo "layers: every include goes down"
exit $((bad > 0))
