/* bcryptprimitives.dll for Wine before 8.5, which has none: Go programs ask it for random bytes. It hands on what Wine's own
 * generator gives (RtlGenRandom). For tests under Wine only; Windows has its own. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID out, ULONG n); /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE out, SIZE_T n)
{
	while (n > 0) {
		ULONG part = n > 0x10000000 ? 0x10000000 : (ULONG)n;
		if (!SystemFunction036(out, part))
			return FALSE;
		out += part;
		n -= part;
	}
	return TRUE;
}
