# SPDX-License-Identifier: Apache-2.0
# sudo and su become other users, and back.
sudo -n id
sudo -n -u nobody id
sudo -n -u nobody sh -c 'sudo -n id 2>&1 | tail -n 1 | cut -d: -f2' </dev/null || true
su -s /bin/sh nobody -c 'id; ulimit -n; grep NoNewPrivs /proc/self/status'
sudo -n sh -c 'exit 9' || echo "status: $?"
sudo -n sh -c 'kill -TERM $$' || echo "killed: $?"
