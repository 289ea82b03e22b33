using CsCheck;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class PacketIdSetTests
{
    [Fact]
    public void Behaves_as_a_set() => Steps.Of(40, 300).Sample(steps =>
    {
        var set = new PacketIdSet();
        var model = new HashSet<ushort>();
        foreach ((int op, int a, int b) in steps)
        {
            // Few pages, few words, all edges.
            ushort id = (ushort)(((a % 3) * 1023) + (b % 130) + (b % 11 == 0 ? 62_000 : 1));
            if (op < 22) Assert.Equal(model.Add(id), set.Add(id));
            else Assert.Equal(model.Remove(id), set.Remove(id));
            Assert.Equal(model.Contains(id), set.Contains(id));
            Assert.Equal(model.Count, set.Count);
            Assert.All(model, one => Assert.True(set.Contains(one)));
        }

        Assert.Equal(model.Order(), Enumerable.Range(1, ushort.MaxValue).Select(id => (ushort)id).Where(set.Contains));
    });
}
