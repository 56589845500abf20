package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sirupsen/logrus"

	"cloneat-emu/emu"
	"cloneat-emu/emu/listen"
)

func main() {
	if os.Args[1] == "-launch" {
		runtime.LockOSThread()
		fd, _, err := listen.Install()
		if err != nil {
			panic(err)
		}
		if err := listen.SendFD(3, fd, nil); err != nil {
			panic(err)
		}
		unix.Close(3)
		p, err := exec.LookPath(os.Args[2])
		if err != nil {
			panic(err)
		}
		panic(syscall.Exec(p, os.Args[2:], os.Environ()))
	}
	pair, _ := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	cmd := exec.Command("/proc/self/exe", append([]string{"-launch"}, os.Args[1:]...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(pair[1]), "")}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	l, _, err := listen.RecvFD(pair[0], make([]byte, 10))
	if err != nil {
		panic(err)
	}
	log := logrus.New()
	s := emu.NewServer(l, emu.Config{Engine: os.Getenv("ENGINE"), PIDDriver: os.Getenv("DRIVER"), Log: log, OnEvent: func(e emu.Event) {
		if os.Getenv("TRACE") != "" {
			fmt.Fprintf(os.Stderr, "[pid %d] cloneat(%d, %d, %v) = %d <%s %v %d pages> %s\n", e.Caller, e.Pid, e.Hint, e.Args, e.Result, e.Engine, e.Duration, e.Pages, e.Cause)
		}
	}})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		fd, _ := unix.PidfdOpen(cmd.Process.Pid, 0)
		unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		cmd.Wait()
		cancel()
	}()
	s.Serve(ctx)
	os.Exit(cmd.ProcessState.ExitCode())
}
