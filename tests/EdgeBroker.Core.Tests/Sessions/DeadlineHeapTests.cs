using CsCheck;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class DeadlineHeapTests
{
    [Fact]
    public void Behaves_as_a_sorted_list() => Steps.Of(6, 400).Sample(steps =>
    {
        var heap = new DeadlineHeap();
        Session[] sessions = [.. Enumerable.Range(0, 20).Select(i => Loose.Session("s" + i))];
        var model = new Dictionary<Session, long>();
        foreach ((int op, int a, int b) in steps)
        {
            Session session = sessions[a % sessions.Length];
            if (op < 3)
            {
                heap.Set(session, b % 50);
                model[session] = b % 50;
            }
            else if (op == 3)
            {
                heap.Remove(session);
                model.Remove(session);
            }
            else
            {
                Session? due = heap.TakeDue(b % 50);
                Assert.Equal(model.Values.Any(at => at <= b % 50), due is not null);
                if (due is not null)
                {
                    Assert.Equal(model.Values.Min(), model[due]);
                    model.Remove(due);
                }
            }

            Assert.Equal(model.Count, heap.Count);
            foreach (Session one in sessions) Assert.Equal(model.ContainsKey(one), one.DeadlineIndex >= 0);
        }
    });
}
