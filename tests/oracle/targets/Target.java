// SPDX-License-Identifier: Apache-2.0

import java.io.FileOutputStream;

/** A target in Java; see eye/target.c. */
final class Target {
    public static void main(String[] args) throws Exception {
        try (FileOutputStream ready = new FileOutputStream("/proc/self/fd/4")) {
            ready.write('r');
        }
        Thread.sleep(Long.MAX_VALUE);
    }
}
