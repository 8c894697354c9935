/* SPDX-License-Identifier: Apache-2.0 */
/* The program's own time limit. libvirt's calls have none, so a timer ends the program: its handler
 * writes the line `timeout: ...` and exits with status 1.
 *
 * Every such line is made before the timer starts; the handler chooses one and calls write and
 * _exit, which are async-signal-safe. Whoever claims the result line first, the handler or the
 * program, is the one that writes it.
 *
 * Threads  main; the handler runs in any.
 * Units    milliseconds.
 */
#ifndef HOST_HSM_LIMIT_H
#define HOST_HSM_LIMIT_H

#include <stdint.h>

enum hsm_stage { HSM_CONNECTING, HSM_LOOKING, HSM_ATTACHING, HSM_DETACHING };
enum { HSM_STAGES = HSM_DETACHING + 1 };

/* From now. `uri` is what is connected to, for the lines. */
void hsm_limit_start(int64_t limit_ms, const char *uri);

/* What is under way now, and is to blame when the limit passes. */
void hsm_limit_stage(enum hsm_stage stage);

/* Claims the result line, and stops the timer. When the handler has the line already this does not
 * return: the program is ending. */
void hsm_limit_claim(void);

#endif
