/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/signals.h"

#include <stdint.h>
#include <string.h>

#include "base/scope.h"
#include "base/str.h"
#include "manifests/chars.h"

enum {
	NUMBER_MAX = 64,    /* SIGRTMAX of Linux */
	REAL_TIME_MAX = 15, /* RTMIN+15 is RTMAX-15 */
};

static const char *const names[] = {
	"ABRT", "ALRM",   "BUS",  "CHLD",   "CLD",   "CONT", "FPE",  "HUP",  "ILL",
	"INT",  "IO",     "IOT",  "KILL",   "PIPE",  "POLL", "PROF", "PWR",  "QUIT",
	"SEGV", "STKFLT", "STOP", "SYS",    "TERM",  "TRAP", "TSTP", "TTIN", "TTOU",
	"URG",  "USR1",   "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
};

static bool is_real_time(const char *name)
{
	uint64_t offset;
	char sign;

	if (chars_equal_fold(name, strnlen(name, 5), "RTMIN"))
		sign = '+';
	else if (chars_equal_fold(name, strnlen(name, 5), "RTMAX"))
		sign = '-';
	else
		return false;
	name += 5;
	return *name == '\0' || (*name == sign && str_to_u64(name + 1, strlen(name + 1), 10,
							     REAL_TIME_MAX, &offset) == 0);
}

bool signals_is_known(const char *text)
{
	uint64_t number;

	if (chars_is_digit((unsigned char)text[0]))
		return str_to_u64(text, strlen(text), 10, NUMBER_MAX, &number) == 0 && number > 0;
	if (chars_equal_fold(text, strnlen(text, 3), "SIG"))
		text += 3;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (chars_equal_fold(text, strlen(text), names[i]))
			return true;
	}
	return is_real_time(text);
}
