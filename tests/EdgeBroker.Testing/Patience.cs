using System.Net;

namespace EdgeBroker.Testing;

/// <summary>For tests that ask more often than one caller may in a second: who is told to come again later does.</summary>
public static class Patience
{
    /// <summary>Asks until the answer is another than 429.</summary>
    /// <param name="ask">Sends the request anew.</param>
    /// <param name="statusOf">The status of an answer.</param>
    public static async Task<T> AskAsync<T>(Func<Task<T>> ask, Func<T, int> statusOf)
    {
        long began = Environment.TickCount64;
        while (true)
        {
            T answer = await ask();
            if (statusOf(answer) != (int)HttpStatusCode.TooManyRequests) return answer;
            if (Environment.TickCount64 - began > Deadline.Timeout.TotalMilliseconds) throw new ExpectationException("429 all the time");
            // The bucket fills with time alone: there is nothing else to wait for.
            await Task.Delay(20);
        }
    }
}
