/* SPDX-License-Identifier: Apache-2.0 */
/* The standard descriptors of a step program.
 *
 * Threads  main, before anything is opened.
 */
#ifndef HOST_STEPS_DESCRIPTORS_H
#define HOST_STEPS_DESCRIPTORS_H

/* Opens those of 0, 1 and 2 that were closed: else the next file opened would become one of them. */
void descriptors_open_standard(void);

#endif
