// SPDX-License-Identifier: Apache-2.0
/* credentials(7), capabilities(7), keyrings(7). */
#include "eye.h"
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>

static void look_sets(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	sys(__NR_capget, &header, data);
	key("caps.effective"), value("%x %x", (long)data[1].effective, (long)data[0].effective), end();
	key("caps.permitted"), value("%x %x", (long)data[1].permitted, (long)data[0].permitted), end();
	key("caps.inheritable"), value("%x %x", (long)data[1].inheritable, (long)data[0].inheritable), end();
	for (long i = 0; i < 48; i++) {
		key("caps.%d", i);
		value("bounding %d ambient %d", sys(__NR_prctl, PR_CAPBSET_READ, i, 0, 0, 0),
		      sys(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0));
		end();
	}
}

static void look_keyrings(void)
{
	static const char *const names[] = { "thread", "process", "session", "user", "user_session" };
	char text[200];

	for (long i = 0; i < 5; i++) {
		long id = sys(__NR_keyctl, KEYCTL_GET_KEYRING_ID, -1 - i, 0);

		key("keyring.%s", names[i]), value("%d ", id);
		if (id > 0 && sys(__NR_keyctl, KEYCTL_DESCRIBE, id, text, sizeof(text)) > 0)
			value("%s", text);
		end();
	}
	line("keyring.request_default", "%d", sys(__NR_keyctl, KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_NO_CHANGE));
}

void look_rights(void)
{
	unsigned int id[3] = { 0 }, groups[64];
	long n;

	sys(__NR_getresuid, &id[0], &id[1], &id[2]);
	line("cred.uid", "%d %d %d fs %d", (long)id[0], (long)id[1], (long)id[2], sys(__NR_setfsuid, -1));
	sys(__NR_getresgid, &id[0], &id[1], &id[2]);
	line("cred.gid", "%d %d %d fs %d", (long)id[0], (long)id[1], (long)id[2], sys(__NR_setfsgid, -1));
	n = sys(__NR_getgroups, 64, groups);
	key("cred.groups"), value("%d ", n), value_hex(groups, n > 0 ? n * 4 : 0), end();
	look_sets();
	look_keyrings();
}
