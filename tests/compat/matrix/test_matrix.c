/* SPDX-License-Identifier: Apache-2.0 */
/* Guests and hosts of the field against our own programs: see docs/compatibility.md. */
#include "matrix.h"
#include "support/unit.h"

UNIT_TEST(test_hosts, "every guest at our host")
{
    matrix_host();
}

UNIT_TEST(test_guests, "our guest at every host")
{
    matrix_guest();
}

UNIT_TEST(test_at_most_once, "what changes something is asked at most once")
{
    matrix_at_most_once();
}

UNIT_MAIN("compatibility")
