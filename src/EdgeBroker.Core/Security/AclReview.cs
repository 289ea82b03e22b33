using System.Text;

namespace EdgeBroker.Core.Security;

/// <summary>Finds rules that can never decide anything, which is nearly always a mistake in their order.</summary>
public static class AclReview
{
    /// <summary>Each rule that one earlier rule leaves nothing to decide, with that rule.</summary>
    public static IEnumerable<(AclRule Unreachable, AclRule Earlier)> FindUnreachable(IReadOnlyList<AclRule> rules)
    {
        for (int i = 1; i < rules.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (!Shadows(rules[j], rules[i])) continue;
                yield return (rules[i], rules[j]);
                break;
            }
        }
    }

    private static bool Shadows(AclRule earlier, AclRule later)
    {
        if ((later.Actions & ~earlier.Actions) != 0) return false;
        if (!Covers(earlier.User, later.User) || !Covers(earlier.Client, later.Client)) return false;
        if (!Covers(earlier.Group, later.Group) || !Covers(earlier.Listener, later.Listener)) return false;
        if (earlier.Via != AuthenticationMethod.Unknown && earlier.Via != later.Via) return false;
        foreach (AclPattern topic in later.Topics)
        {
            if (!earlier.Topics.Any(wider => Covers(wider, topic))) return false;
        }

        return true;
    }

    // Of two globs with wildcards only what is certain: the wider is equal, or fits everything.
    private static bool Covers(string earlier, string later) =>
        earlier == later || earlier == Glob.Any || (!Glob.IsWild(later) && Glob.Matches(earlier, later));

    // A name stands within one level and is the same on both sides, so its placeholder may stand for it.
    private static bool Covers(AclPattern earlier, AclPattern later) =>
        FilterRelation.Covers(Encoding.UTF8.GetBytes(earlier.ToString()), Encoding.UTF8.GetBytes(later.ToString()));
}
