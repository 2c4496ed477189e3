#!/bin/sh
# Captures what bpftrace prints for a known load, as a sample or a recording of a probe.
#
#   tools/load/capture.sh BPFTRACE PROBE VARIANT SCRIPT OUT LOAD [PARAMETER ...]
#     BPFTRACE   the program to run, of any version      PROBE    folder below probes/
#     VARIANT    as the manifest names it                SCRIPT   stream whose .bt file, or the .bt file itself
#     OUT        file name without .jsonl, e.g. sample.latency.0.17.0 or recording.latency
#     LOAD       locks, faults (about 3 s, known counts), story (40 s of quiet, bursts and contention) or audience
#
# Writes probes/PROBE/OUT.jsonl, the untouched stdout of `bpftrace -f json` (packed as OUT.jsonl.gz for a story), and
# OUT.meta.json beside it. Other processes of the machine are in it too: capture while it is quiet.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
bpftrace=$1 probe=$2 variant=$3 script=$4 out=$5 load=$6
shift 6
stream=${script%.bt}
case $script in *.bt) stream=${STREAM:-$stream} ;; *) script=$script.bt ;; esac
folder=$root/probes/$probe
truth=$(mktemp)
lines=$(mktemp)
trap 'rm -f "$truth" "$lines" "$lines.start"' EXIT

make -s -C "$root/tools/load"
mmap_load() { "$root/tools/load/build/mmap-load" "$@" >>"$truth"; }

# Each process has a name of its own, so that its counts can be found; three of them have names that are hard to print.
load_locks() {
	workload='mincore, mmap and munmap, contention of one writer with three readers, three processes with hostile names'
	mmap_load mincore --count 20000 --name reader
	mmap_load mmap-munmap --count 5000 --name mapper
	mmap_load contend --count 400 --threads 4 --writers 1 --pages 2048 --name contender
	for name in quote comma utf8; do mmap_load mincore --count 7 --weird-name $name; done
	sleep 1
}

load_faults() {
	workload='page faults by access and cause, from user code and from the kernel, three processes with hostile names'
	mmap_load fault-read --count 20000 --name reads
	mmap_load fault-write --count 20000 --name writes
	mmap_load fault-protection --count 5000 --name protected
	mmap_load fault-kernel --count 5000 --name kernel-writes
	mmap_load fault-exec --count 500 --name executes
	mmap_load fault-exec-protection --count 500 --name forbidden
	for name in quote comma utf8; do mmap_load fault-write --count 7 --weird-name $name; done
	sleep 1
}

load_story() {
	workload='40 s: quiet, a steady reader, bursts of reads, of mappings and of faults, and contention with waits one can see'
	sleep 3
	mmap_load mincore --seconds 33 --rate 20000 --name steady-reader &
	beside=$!
	mmap_load fault-write --seconds 30 --rate 5000 --name steady-toucher &
	beside="$beside $!"
	sleep 4
	mmap_load mincore --seconds 3 --name burst-reader
	sleep 2
	mmap_load mmap-munmap --seconds 6 --rate 40000 --name mapper &
	beside="$beside $!"
	mmap_load fault-read --seconds 4 --rate 100000 --name scanner
	mmap_load fault-protection --count 100000 --name copy-on-write
	sleep 2
	mmap_load contend --seconds 8 --threads 4 --writers 1 --pages 8192 --name contender &
	beside="$beside $!"
	sleep 3
	mmap_load fault-kernel --count 60000 --name file-reader
	mmap_load fault-write --count 150000 --name burst-toucher
	sleep 3
	mmap_load contend --seconds 3 --threads 3 --writers 2 --name map-storm
	# shellcheck disable=SC2086 # a list of process ids
	wait $beside
	sleep 3
}

# Sits through the story that the capture named by STORY (such as mmap-lock/recording.latency) tells at the same time, so that
# both recordings share one clock and one truth. Start the audience first.
load_audience() {
	story=$root/probes/$STORY.meta.json
	until [ "$story" -nt "$lines.start" ] && grep -q "^}" "$story"; do sleep 0.2; done
	workload=$(sed -n 's/^  "workload": "\(.*\)",$/\1/p' "$story")
	sed -n '/^  "truth": \[/,/^  \]/p' "$story" | sed '1d; $d; s/^ *//; s/,$//' >"$truth"
}

# Waits until the file holds the text, 60 s at most.
wait_for() {
	tries=600
	until grep -q "$1" "$2"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] && kill -0 "$tracer" 2>/dev/null || return 1
		sleep 0.1
	done
}

touch "$lines.start"
BPFTRACE_MAX_MAP_KEYS=16384 BPFTRACE_MAP_KEYS_MAX=16384 "$bpftrace" -f json "$folder/$script" "$@" >"$lines" 2>"$lines.err" &
tracer=$!
if ! wait_for READY "$lines"; then
	cat "$lines.err" >&2
	exit 1
fi
rm -f "$lines.err"
"load_$load"
kill -INT $tracer
sleep 0.5
kill -INT $tracer 2>/dev/null || true
wait $tracer || true
file=$folder/$out.jsonl
cat "$lines" >"$file"
if [ "$load" = story ] || [ "$load" = audience ]; then
	gzip -9nf "$file"
	file=$file.gz
fi

parameters=$(echo "$*" | tr ' ' ',')
virtual=false
grep -q "QEMU TCG" /proc/cpuinfo && virtual=true
cat >"$folder/$out.meta.json" <<END
{
  "stream": "$stream",
  "variant": "$variant",
  "script": "$script",
  "bpftrace": "$("$bpftrace" --version | sed 's/^bpftrace v//')",
  "kernel": "$(uname -r)",
  "machine": "$(uname -m)",
  "cpuCount": $(nproc),
  "isEmulated": $virtual,
  "capturedOn": "$(date -u +%F)",
  "parameters": [$parameters],
  "workload": "$workload",
  "truth": [
$(sed 's/^/    /; $!s/$/,/' "$truth")
  ]
}
END
echo "$file $(wc -c <"$file") bytes"
