// SPDX-License-Identifier: Apache-2.0
// A target in JavaScript; see eye/target.c.
require('fs').writeSync(3, 'r');
setInterval(() => {}, 1 << 30);
