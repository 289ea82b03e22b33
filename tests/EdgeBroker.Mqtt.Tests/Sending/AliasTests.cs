using System.Text;
using CsCheck;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Mqtt.Sending;

namespace EdgeBroker.Mqtt.Tests.Sending;

public sealed class AliasTests
{
    [Fact]
    public void Outbound_numbers_go_from_the_topic_not_used_for_longest() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[0, 9].Array[0, 100]).Sample((maximum, topics) =>
        {
            var aliases = new OutboundAliases(maximum);
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
            }
        });

    [Fact]
    public void Inbound_numbers_mean_the_topic_they_were_last_given_to() =>
        Gen.Select(Gen.Int[1, 40], Gen.Select(Gen.Int[1, 50], Gen.Int[0, 3]).Array[0, 100]).Sample((maximum, steps) =>
        {
            var aliases = new InboundAliases(maximum);
            var model = new Dictionary<int, string>();
            foreach ((int alias, int topic) in steps)
            {
                Assert.Equal(alias <= maximum, aliases.IsInRange((uint)alias));
                if (alias > maximum) continue;
                Assert.Equal(model.GetValueOrDefault(alias, ""), Encoding.UTF8.GetString(aliases.Get((uint)alias)));
                aliases.Set((uint)alias, Encoding.UTF8.GetBytes("t" + topic));
                model[alias] = "t" + topic;
            }
        });
}
