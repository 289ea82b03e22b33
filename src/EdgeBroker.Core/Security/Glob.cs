namespace EdgeBroker.Core.Security;

/// <summary>Names as rules write them: <c>*</c> stands for any characters, also none, <c>?</c> for exactly one; case counts.</summary>
public static class Glob
{
    /// <summary>What every name fits.</summary>
    public const string Any = "*";

    /// <summary>Whether the whole name fits.</summary>
    public static bool Matches(ReadOnlySpan<char> glob, ReadOnlySpan<char> name)
    {
        int g = 0;
        int n = 0;
        // Where the last star stands and how much of the name it has taken: on a misfit it takes one more. No star before it can help then, so time is bounded
        // by g * n.
        int star = -1;
        int taken = 0;
        while (n < name.Length)
        {
            if (g < glob.Length && glob[g] == '*')
            {
                star = g++;
                taken = n;
            }
            else if (g < glob.Length && (glob[g] == '?' || glob[g] == name[n]))
            {
                g++;
                n++;
            }
            else if (star >= 0)
            {
                g = star + 1;
                n = ++taken;
            }
            else
            {
                return false;
            }
        }

        return glob[g..].TrimStart('*').IsEmpty;
    }

    /// <summary>Whether a glob names nobody in particular: it holds a wildcard.</summary>
    public static bool IsWild(ReadOnlySpan<char> glob) => glob.IndexOfAny('*', '?') >= 0;
}
