// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"encoding/json"
	"fmt"
	"os"

	"cloneat-emu/emu/listen"
)

// sendListener hands the listener and what is known about it to the operator.
func sendListener(sock, fd int, got listen.Features) error {
	msg, err := json.Marshal(got)
	if err != nil {
		return err
	}
	return listen.SendFD(sock, fd, msg)
}

// ReceiveListener waits for the exec stage to hand over the listener. A nil file
// without an error means that the program was never started.
func ReceiveListener(sock int) (*os.File, listen.Features, error) {
	var got listen.Features
	buf := make([]byte, 4096)
	file, n, err := listen.RecvFD(sock, buf)
	if err != nil || n == 0 {
		return nil, got, err
	}
	if file == nil {
		return nil, got, fmt.Errorf("the listener did not arrive")
	}
	return file, got, json.Unmarshal(buf[:n], &got)
}
