/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/phase.h"

#include <errno.h>

#define BIT(phase) (1U << (phase))

/* Row: from; bits: what may follow. */
static const unsigned followers[PHASE_LAST + 1] = {
    [PHASE_IDLE] = BIT(PHASE_QUEUED),
    [PHASE_QUEUED] = BIT(PHASE_DOWNLOADING) | BIT(PHASE_FAILED),
    [PHASE_DOWNLOADING] = BIT(PHASE_VERIFYING) | BIT(PHASE_FAILED),
    /* Back to downloading: a file stored from several answers is fetched once more. */
    [PHASE_VERIFYING] = BIT(PHASE_DOWNLOADING) | BIT(PHASE_INSTALLING) | BIT(PHASE_FAILED),
    /* Back to verifying: after a crash, when the installer was never started. Upgraded: the
     * installer itself rebooted the machine. */
    [PHASE_INSTALLING] =
        BIT(PHASE_VERIFYING) | BIT(PHASE_REBOOTING) | BIT(PHASE_FAILED) | BIT(PHASE_UPGRADED),
    [PHASE_REBOOTING] = BIT(PHASE_FAILED) | BIT(PHASE_UPGRADED),
    /* A reboot after its time limit, or an installation whose outcome was unknown. */
    [PHASE_FAILED] = BIT(PHASE_UPGRADED),
    [PHASE_UPGRADED] = 0,
};

static bool is_in(enum phase phase, unsigned set)
{
    return (unsigned)phase <= PHASE_LAST && (set & BIT(phase)) != 0;
}

bool phase_may_follow(enum phase from, enum phase to)
{
    return (unsigned)from <= PHASE_LAST && is_in(to, followers[from]);
}

bool phase_ended(enum phase phase)
{
    return is_in(phase,
                 BIT(PHASE_IDLE) | BIT(PHASE_REBOOTING) | BIT(PHASE_FAILED) | BIT(PHASE_UPGRADED));
}

bool phase_resumable(enum phase phase)
{
    return is_in(phase, BIT(PHASE_QUEUED) | BIT(PHASE_DOWNLOADING) | BIT(PHASE_VERIFYING));
}

bool phase_needs_record(enum phase phase)
{
    return phase == PHASE_INSTALLING;
}

int phase_find(const char *name, enum phase *ret)
{
    for (unsigned phase = 0; phase <= PHASE_LAST; phase++) {
        if (strcmp(name, phase_name(phase)) == 0) {
            *ret = (enum phase)phase;
            return 0;
        }
    }
    return -EINVAL;
}
