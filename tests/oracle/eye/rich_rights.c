// SPDX-License-Identifier: Apache-2.0
/* Groups, capability sets, securebits, keyrings, a filter. */
#include "eye.h"
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

/* What worked on this kernel and what did not. */
static char lacking[4096];
static int steps;

long did(const char *what, long ret)
{
	size_t n = str_len(lacking);

	steps++;
	if (ret < 0)
		form(lacking + n, sizeof(lacking) - n, " %s=%d,", what, -ret);
	return ret;
}

void tell_lacking(void)
{
	say("rich %d, but%s\n", (long)steps, lacking);
	sys(__NR_chdir, "/");
	sys(__NR_rmdir, scratch);
}

static void put_caps(unsigned long effective, unsigned long permitted, unsigned long inheritable)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ effective, permitted, inheritable },
		{ effective >> 32, permitted >> 32, inheritable >> 32 },
	};

	did("capset", sys(__NR_capset, &header, data));
}

/* A target with another session keyring cannot give it away: before it. */
void rich_early(void)
{
	if (options & OPT_USER) {
		sys(__NR_setgroups, 0, 0);
		sys(__NR_setresgid, 1234, 1234, 1234);
		sys(__NR_setresuid, 1234, 1234, 1234);
		sys(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
	}
	did("session keyring", sys(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "oracle"));
}

static void rich_keyrings(void)
{
	did("process keyring", sys(__NR_add_key, "user", "mine", "secret", 6, -2));
	did("thread keyring", sys(__NR_add_key, "user", "mine", "secret", 6, -1));
	did("session key", sys(__NR_add_key, "user", "mine", "secret", 6, -3));
	did("request-key default",
	    sys(__NR_keyctl, KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_PROCESS_KEYRING));
}

static void rich_root(void)
{
	static const unsigned int groups[] = { 4, 5, 6000, 70000 };
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	unsigned long have;

	did("setgroups", sys(__NR_setgroups, 4, groups));
	did("setresgid", sys(__NR_setresgid, 7, 8, 9));
	sys(__NR_setfsgid, 10);
	sys(__NR_capget, &header, data);
	have = (unsigned long)data[1].permitted << 32 | data[0].permitted;
	put_caps(have, have, 1 << CAP_NET_RAW | 1 << CAP_KILL);
	did("ambient", sys(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
	did("bounding", sys(__NR_prctl, PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0));
	did("securebits", sys(__NR_prctl, PR_SET_SECUREBITS, 1 << 2 | 1 << 4, 0, 0, 0));
	have &= ~(1UL << CAP_WAKE_ALARM);
	put_caps(have & ~(1UL << CAP_SYS_TIME), have, 1 << CAP_NET_RAW | 1 << CAP_KILL);
	/* Who may not be read is rebuilt in another way; other ids took it away. */
	did("dumpable", sys(__NR_prctl, PR_SET_DUMPABLE, !(options & OPT_FILTER), 0, 0, 0));
}

void rich_rights(void)
{
	rich_keyrings();
	if (!(options & OPT_USER))
		rich_root();
}

void rich_filter(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1023, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, f };

	did("no_new_privs", sys(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	did("filter", sys(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
	f[2].k = SECCOMP_RET_ERRNO | 78;
	f[1].k = 1022;
	did("filter", sys(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
}
