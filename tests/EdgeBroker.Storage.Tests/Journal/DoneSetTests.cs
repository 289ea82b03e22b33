using CsCheck;
using EdgeBroker.Storage.Journal;

namespace EdgeBroker.Storage.Tests.Journal;

public sealed class DoneSetTests
{
    [Fact]
    public void Holds_what_a_plain_set_holds_and_comes_back_from_its_blob() => Gen.Int[1, 80].Array[0, 160].Sample(positions =>
    {
        var done = new DoneSet();
        var model = new HashSet<long>();
        foreach (int position in positions)
        {
            done.Add(position);
            model.Add(position);
            Compare(model, done);
        }

        DoneSet read = DoneSet.Read(done.Low, done.ToBlob())!;
        Compare(model, read);
        // It goes on as the one that was written.
        for (int position = 80; position > 0; position -= 3)
        {
            read.Add(position);
            model.Add(position);
        }

        Compare(model, read);
    });

    [Fact]
    public void Acknowledged_in_order_takes_no_room()
    {
        var done = new DoneSet();
        int empty = done.ToBlob().Length;
        for (int position = 1; position <= 10_000; position++) done.Add(position);
        Assert.Equal((10_001, empty), (done.Low, done.ToBlob().Length));
    }

    private static void Compare(HashSet<long> model, DoneSet done)
    {
        long low = 1;
        while (model.Contains(low)) low++;
        Assert.Equal((low, model.Count == 0 ? 0 : model.Max()), (done.Low, done.Highest));
        for (long position = 1; position <= 82; position++) Assert.Equal(model.Contains(position), done.Contains(position));
    }
}
