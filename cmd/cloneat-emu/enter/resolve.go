// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// resolvers ask the tool that a container belongs to for the pid of its init.
var resolvers = map[string]func(name string) (int, error){
	"podman": func(name string) (int, error) { return inspect("podman", name) },
	"docker": func(name string) (int, error) { return inspect("docker", name) },
	"runc":   runcState,
	"lxc":    lxcInfo,
}

// Resolve turns PID, podman:NAME, docker:NAME, runc:ID or lxc:NAME into a pid.
func Resolve(target string) (int, error) {
	tool, name, named := strings.Cut(target, ":")
	if !named {
		pid, err := strconv.Atoi(target)
		if err != nil || pid <= 0 {
			return 0, fmt.Errorf("target %q is neither a pid nor podman:NAME, docker:NAME, runc:ID, lxc:NAME", target)
		}
		return pid, nil
	}
	resolve := resolvers[tool]
	if resolve == nil || name == "" || strings.HasPrefix(name, "-") {
		return 0, fmt.Errorf("target %q: known are podman:NAME, docker:NAME, runc:ID, lxc:NAME", target)
	}
	pid, err := resolve(name)
	if err != nil {
		return 0, fmt.Errorf("target %q: %w", target, err)
	}
	if pid <= 0 {
		return 0, fmt.Errorf("target %q: the container does not run", target)
	}
	return pid, nil
}

// output runs a tool; what it complained about becomes the error's text.
func output(tool string, args ...string) ([]byte, error) {
	out, err := exec.Command(tool, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s: %s", tool, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}

// inspect asks podman or docker.
func inspect(tool, name string) (int, error) {
	out, err := output(tool, "inspect", "--format", "{{.State.Pid}}", "--", name)
	if err != nil {
		return 0, err
	}
	return number(tool+" inspect", out)
}

// number reads a pid that a tool has printed; nothing, 0 and -1 stand for none.
func number(tool string, out []byte) (int, error) {
	text := strings.TrimSpace(string(out))
	if text == "" {
		return 0, nil
	}
	pid, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is no pid", tool, text)
	}
	return pid, nil
}

// runcState asks runc.
func runcState(id string) (int, error) {
	out, err := output("runc", "state", id)
	if err != nil {
		return 0, err
	}
	var state struct{ Pid int }
	if err := json.Unmarshal(out, &state); err != nil {
		return 0, fmt.Errorf("runc state: %w", err)
	}
	return state.Pid, nil
}

// lxcInfo asks lxc-info, which says nothing of a container that does not run.
func lxcInfo(name string) (int, error) {
	out, err := output("lxc-info", "-n", name, "-p", "-H")
	if err != nil {
		return 0, err
	}
	return number("lxc-info", out)
}
