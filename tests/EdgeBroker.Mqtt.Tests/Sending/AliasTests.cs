using System.Text;
using CsCheck;
using EdgeBroker.Core.Limits;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Sending;

namespace EdgeBroker.Mqtt.Tests.Sending;

public sealed class AliasTests
{
    [Fact]
    public void Outbound_numbers_go_from_the_topic_not_used_for_longest() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[0, 9].Array[0, 100]).Sample((maximum, topics) =>
        {
            var ledger = new MemoryLedger();
            var aliases = new OutboundAliases(maximum, ledger);
            var byUse = new List<(string Topic, ushort Alias)>();
            // What the client at the other end knows.
            var client = new Dictionary<ushort, string>();
            foreach (int number in topics)
            {
                string topic = "topic/" + number;
                byte[] bytes = Encoding.UTF8.GetBytes(topic);
                int at = byUse.FindIndex(one => one.Topic == topic);
                Assert.Equal(at >= 0, aliases.TryFind(bytes, out ushort alias));
                if (at < 0)
                {
                    alias = aliases.Assign(bytes);
                    Assert.InRange(alias, 1, maximum);
                    if (byUse.Count < maximum)
                    {
                        Assert.DoesNotContain(alias, client.Keys);
                    }
                    else
                    {
                        Assert.Equal(byUse[0].Alias, alias);
                        byUse.RemoveAt(0);
                    }

                    client[alias] = topic;
                }
                else
                {
                    byUse.RemoveAt(at);
                }

                byUse.Add((topic, alias));
                Assert.Equal(topic, client[alias]);
                Assert.InRange(ledger.Bytes(MemoryKind.Aliases), byUse.Sum(one => one.Topic.Length), byUse.Sum(one => one.Topic.Length + 200));
            }

            aliases.Clear();
            Assert.Equal(0, ledger.Bytes(MemoryKind.Aliases));
        });

    [Fact]
    public void Inbound_numbers_mean_the_topic_they_were_last_given_to() =>
        Gen.Select(Gen.Int[1, 40], Gen.Select(Gen.Int[1, 50], Gen.Int[0, 3]).Array[0, 100]).Sample((maximum, steps) =>
        {
            var ledger = new MemoryLedger();
            var aliases = new InboundAliases(maximum, ledger);
            var model = new Dictionary<int, string>();
            foreach ((int alias, int topic) in steps)
            {
                Assert.Equal(alias <= maximum, aliases.IsInRange((uint)alias));
                if (alias > maximum) continue;
                Assert.Equal(model.GetValueOrDefault(alias, ""), Encoding.UTF8.GetString(aliases.Get((uint)alias)));
                aliases.Set((uint)alias, Encoding.UTF8.GetBytes("t" + topic));
                model[alias] = "t" + topic;
                Assert.InRange(ledger.Bytes(MemoryKind.Aliases), model.Values.Sum(one => one.Length), model.Values.Sum(one => one.Length + 50) + (8 * maximum));
            }

            aliases.Clear();
            Assert.Equal(0, ledger.Bytes(MemoryKind.Aliases));
        });
}
