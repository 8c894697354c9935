/* SPDX-License-Identifier: Apache-2.0 */
/* The time limit of vsock_host-hsm. libvirt's calls have none, so a timer ends the program: its handler
 * writes the line `timeout: ...` and exits with status 1.
 *
 * Every such line is made before the timer starts; the handler chooses one and calls write and
 * _exit, which are async-signal-safe. The handler or the program writes the result line: whichever
 * claims it first.
 */
#ifndef HOST_HSM_LIMIT_H
#define HOST_HSM_LIMIT_H

#include <stdint.h>

enum hsm_stage { HSM_CONNECTING, HSM_LISTING, HSM_ATTACHING, HSM_DETACHING };
enum { HSM_STAGES = HSM_DETACHING + 1 };

/* From now. `uri` of libvirt, for the lines. */
void hsm_limit_start(int64_t limit_ms, const char *uri);

/* The call that runs now, for the line when the limit passes. */
void hsm_limit_stage(enum hsm_stage stage);

/* Claims the result line, and stops the timer. Does not return when the handler has claimed it: the program
 * ends. */
void hsm_limit_claim(void);

#endif
