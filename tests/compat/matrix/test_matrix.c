/* SPDX-License-Identifier: Apache-2.0 */
/* Guests and hosts of the field against our own programs: see docs/compatibility.md. */
#include "matrix.h"
#include "support/unit.h"

static const struct unit_test tests[] = {
    {"every guest at our host", matrix_host},
    {"our guest at every host", matrix_guest},
    {"what changes something is asked at most once", matrix_at_most_once},
};

UNIT_MAIN("compatibility", tests)
