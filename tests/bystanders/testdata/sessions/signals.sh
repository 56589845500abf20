# SPDX-License-Identifier: Apache-2.0
# What a shell sees of its children: statuses, stops, traps, groups.
exec 2>/dev/null # its messages about jobs come, or do not
sh -c 'exit 7' || echo "status: $?"
sh -c 'kill -TERM $$' || echo "killed: $?"
trap 'echo "trapped: USR1"' USR1
kill -USR1 $$
trap '' HUP
sh -c 'kill -HUP $$; echo "ignored: HUP"'
set -m
sleep 1000 &
echo "group of its own: $(($(ps -o pgid= $!) == $!))"
kill -STOP $!
until jobs -s | grep -q sleep; do :; done
echo "stopped: $(jobs -s | wc -l)"
kill -KILL -- -$!
while kill -0 -- -$!; do
	wait -f $! || true # says stopped once, if it is heard of only now
done
echo "gone: the job"
echo "piped: $(seq 1 1000 | sort -rn | head -n 1)"
grep -E 'SigBlk|SigIgn|SigCgt|TracerPid' /proc/self/status | tr '\t' ' '
