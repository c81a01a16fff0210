#include "proto/dav/href.h"
#include "proto/dav/multi.h"
#include "proto/dav/request.h"
#include "proto/dav/said.h"

#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the above first */
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

int main(void)
{
	return 0;
}
