using System.Text;
using CsCheck;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class SubscriptionSetTests
{
    [Fact]
    public void Behaves_as_a_dictionary() => Steps.Of(30, 200).Sample(steps =>
    {
        var set = new SubscriptionSet();
        var model = new Dictionary<string, Subscription>();
        Session session = Loose.Session("s");
        foreach ((int op, int a, _) in steps)
        {
            string filter = "filter/" + (a % 25);
            byte[] bytes = Encoding.UTF8.GetBytes(filter);
            if (op < 18)
            {
                Subscription subscription = Loose.Subscribe(session, filter);
                set.Set(subscription);
                model[filter] = subscription;
            }
            else if (op < 29)
            {
                model.Remove(filter, out Subscription? expected);
                Assert.Same(expected, set.Remove(bytes));
            }
            else
            {
                Assert.Equal(model.Values.ToHashSet(), set.TakeAll().ToHashSet());
                model.Clear();
            }

            Assert.Same(model.GetValueOrDefault(filter), set.Find(bytes));
            Assert.Equal(model.Count, set.Count);
        }
    });
}
