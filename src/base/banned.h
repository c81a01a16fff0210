/*
 * Force-included everywhere: functions that have no safe use here, turned into errors.
 */
#ifndef PF_BASE_BANNED_H
#define PF_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets localtime gmtime     \
	atoi atol

#endif
