// SPDX-License-Identifier: Apache-2.0

package pidhint

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/reexec"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func(){
		"init": playInit, "leader": playLeader, "weak": playWeak, "hidden": playHidden,
	})
}

// playInit is the init of a pid namespace. It makes processes there on demand
// and tells their numbers; they end with it.
func playInit() {
	reexec.Say("ready")
	made := map[string]func() int{
		"process": func() int { return start(pausing()).Process.Pid },
		"zombie":  zombie, "group": group, "session": session, "storm": storm,
		"next": func() int { c := start(pausing()); end(c); return c.Process.Pid },
		"inner": func() int {
			c := pausing()
			c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
			return start(c).Process.Pid
		},
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		reexec.Say("%d", made[in.Text()]())
	}
}

// pausing waits for its end, and makes no threads that would take numbers.
func pausing() *exec.Cmd { return exec.Command("sleep", "infinity") }

func start(c *exec.Cmd) *exec.Cmd {
	if err := c.Start(); err != nil {
		panic(err)
	}
	return c
}

func end(c *exec.Cmd) {
	_ = c.Process.Kill()
	_ = c.Wait()
}

// zombie is a process that ended and is never reaped.
func zombie() int {
	pid := start(exec.Command("true")).Process.Pid
	_ = unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	return pid
}

// group is the number of a process group whose leader is gone.
func group() int {
	leader := pausing()
	leader.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	start(leader)
	member := pausing()
	member.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: leader.Process.Pid}
	start(member)
	end(leader)
	return leader.Process.Pid
}

// session is the number of a session without leader whose one member is in
// another group.
func session() int {
	leader := reexec.Command("leader")
	leader.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	start(leader)
	_ = leader.Wait()
	return leader.Process.Pid
}

func playLeader() {
	member := pausing()
	member.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	start(member)
}

// storm forks as fast as it can until the namespace ends.
func storm() int {
	return start(exec.Command("sh", "-c", "while :; do (:); done")).Process.Pid
}

// playWeak tries the driver without rights on the namespace that is handed over.
func playWeak() { tryHanded() }

// playHidden tries it where the cursor's file does not exist.
func playHidden() {
	for _, err := range []error{
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("none", "/proc/sys/kernel", "tmpfs", 0, ""),
	} {
		if err != nil {
			reexec.Say("%v", err)
			return
		}
	}
	tryHanded()
}

func tryHanded() {
	err := LastPID{}.Make(Namespace{PID: os.NewFile(3, "pid namespace")}, 99, nil)
	if err == nil {
		reexec.Say("no error")
		return
	}
	reexec.Say("%T: %s", err, strings.ReplaceAll(err.Error(), "\n", " "))
}
