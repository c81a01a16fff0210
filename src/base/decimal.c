#include "base/decimal.h"

size_t pf_decimal(uint64_t n, char out[PF_DECIMAL_MAX])
{
	char reversed[PF_DECIMAL_MAX];
	size_t count = 0;

	do {
		reversed[count++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	for (size_t i = 0; i < count; i++) {
		out[i] = reversed[count - 1 - i];
	}
	return count;
}
